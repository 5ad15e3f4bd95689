# Under test are private modules of the sink, so its folder is on the include path.
sb_fuzz_target(sink_answer CORPUS sink_answer LINK sb_sink)
target_include_directories(replay_sink_answer PRIVATE ${PROJECT_SOURCE_DIR}/src/sink)
if(TARGET fuzz_sink_answer)
    target_include_directories(fuzz_sink_answer PRIVATE ${PROJECT_SOURCE_DIR}/src/sink)
endif()
