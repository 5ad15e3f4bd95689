# Under test is a private module of the source, so its folder is on the include path.
sb_fuzz_target(rabbitmq_delivery CORPUS rabbitmq_delivery LINK sb_source_rabbitmq)
target_include_directories(replay_rabbitmq_delivery PRIVATE
    ${PROJECT_SOURCE_DIR}/src/source_rabbitmq)
if(TARGET fuzz_rabbitmq_delivery)
    target_include_directories(fuzz_rabbitmq_delivery PRIVATE
        ${PROJECT_SOURCE_DIR}/src/source_rabbitmq)
endif()
