sb_fuzz_target(config CORPUS config LINK sb_config)
