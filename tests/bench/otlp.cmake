add_executable(scan_bench scan_bench.c)
target_link_libraries(scan_bench PRIVATE sb_otlp sb_flags)
