# find_package(spanbridge): targets spanbridge::spanbridge (shared) and
# spanbridge::spanbridge-static.  Neither brings librdkafka or librabbitmq: who includes
# spanbridge/kafka.h or spanbridge/amqp.h links the client library that it uses anyway.
include(${CMAKE_CURRENT_LIST_DIR}/spanbridge-targets.cmake)
