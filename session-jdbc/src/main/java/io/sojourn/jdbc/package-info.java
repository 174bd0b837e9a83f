/**
 * Keeps sessions in a relational database: H2 and MariaDB. {@link
 * io.sojourn.jdbc.JdbcSessionStoreProvider} opens a store by a {@code jdbc:} URL with a pool of its
 * own; {@link io.sojourn.jdbc.JdbcSessionStore} also takes a data source.
 */
@NullMarked
package io.sojourn.jdbc;

import org.jspecify.annotations.NullMarked;
