add_library(sb_bench_rabbitmq STATIC bench_rabbitmq.c confirms.c rabbitmq_publisher.c)
target_link_libraries(sb_bench_rabbitmq PRIVATE sb_flags
    PUBLIC sb_bench sb_core PkgConfig::LIBRABBITMQ)

add_executable(bench_rabbitmq_load bench_rabbitmq_load.c)
target_link_libraries(bench_rabbitmq_load PRIVATE sb_bench_load sb_bench_rabbitmq sb_flags)

add_executable(bench_rabbitmq_consumer bench_rabbitmq_consumer.c)
target_link_libraries(bench_rabbitmq_consumer PRIVATE sb_bench_rabbitmq sb_flags)

sb_bench_test(confirms sb_bench_rabbitmq)
