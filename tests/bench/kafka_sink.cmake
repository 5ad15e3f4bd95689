add_executable(kafka_sink_bench kafka_sink_bench.c kafka_sink_floor.c)
target_link_libraries(kafka_sink_bench PRIVATE
    sb_sink_load sb_bench_kafka sb_sink sb_flags)
