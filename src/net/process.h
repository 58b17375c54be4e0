/* What of the process the network needs once, whoever comes first. */
#ifndef CAPSTAN_NET_PROCESS_H
#define CAPSTAN_NET_PROCESS_H

#include "base/error.h"

/* Start libcurl and OpenSSL, and ignore SIGPIPE where nobody handles it: writing to a connection
 * whose peer is gone must be an error of that connection, and OpenSSL writes with write(2). From any
 * thread, any number of times. ERROR_SYSTEM where libcurl can't be started. */
int net_process_start(struct error *error);

#endif
