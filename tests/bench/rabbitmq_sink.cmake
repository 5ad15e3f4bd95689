add_executable(rabbitmq_sink_bench rabbitmq_sink_bench.c)
target_link_libraries(rabbitmq_sink_bench PRIVATE
    sb_sink_load sb_bench_rabbitmq sb_sink sb_flags)
