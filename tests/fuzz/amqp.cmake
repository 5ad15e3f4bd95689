sb_fuzz_target(amqp_input CORPUS amqp LINK sb_amqp)
