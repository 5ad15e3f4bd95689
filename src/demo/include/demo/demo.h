/*
 * demo: `spanbridge demo`: a shop whose traces break at Kafka and RabbitMQ, and the bridge that
 * mends them, in one process.  Belongs to the main thread.
 */
#ifndef SB_DEMO_DEMO_H
#define SB_DEMO_DEMO_H

/*
 * argv[0] is the command's name.  Returns an exit code: 0 all was mended and accounted for;
 * 1 something was not (said on stderr); 64 usage; 69 a broker can not be used; 70; 75 a second
 * signal ended it at once: then it does not return; 130 stopped by a signal before --once was
 * done.
 */
int demo_main(int argc, char **argv);

#endif
