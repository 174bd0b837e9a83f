/**
 * Keeps sessions in a relational database: MySQL, MariaDB, PostgreSQL or H2. {@link
 * io.sojourn.jdbc.JdbcSessionStoreProvider} opens a store by a {@code jdbc:} URL with a pool of its
 * own, or by a {@code jndi:} URL; {@link io.sojourn.jdbc.JdbcSessionStore} also takes a data
 * source.
 */
@NullMarked
package io.sojourn.jdbc;

import org.jspecify.annotations.NullMarked;
