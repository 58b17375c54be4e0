/* A name for each request, so that its lines in the log can be told from others. */
#ifndef CAPSTAN_OPS_REQUEST_ID_H
#define CAPSTAN_OPS_REQUEST_ID_H

enum { OPS_REQUEST_ID_BYTES = 37 };

/* A UUID of version 4 (RFC 9562) and a NUL, from the system's random numbers. */
void ops_request_id(char out[OPS_REQUEST_ID_BYTES]);

#endif
