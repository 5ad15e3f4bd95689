sb_fuzz_target(otlp_scan CORPUS otlp_scan LINK sb_otlp)
sb_fuzz_target(otlp_json CORPUS otlp_json LINK sb_otlp)
