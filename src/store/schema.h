/* The run database's tables and views as SQL. */
#ifndef CAPSTAN_STORE_SCHEMA_H
#define CAPSTAN_STORE_SCHEMA_H

/* Statements that make an empty database of version STORE_VERSION. */
extern const char store_schema[];

#endif
