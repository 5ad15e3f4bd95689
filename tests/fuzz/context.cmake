sb_fuzz_target(context CORPUS context LINK sb_context)
sb_fuzz_target(extract CORPUS extract
    LINK sb_context Librdkafka::librdkafka PkgConfig::LIBRABBITMQ)
