# Against the shared library, as programs use it.
add_executable(propagation_bench propagation_bench.c)
target_link_libraries(propagation_bench PRIVATE
    spanbridge_shared sb_flags Librdkafka::librdkafka PkgConfig::LIBRABBITMQ)
# Figures are for people: the test only proves that it runs, and that contexts come back.
add_test(NAME bench.propagation COMMAND propagation_bench 1000)
set_tests_properties(bench.propagation PROPERTIES LABELS unit TIMEOUT 120)
