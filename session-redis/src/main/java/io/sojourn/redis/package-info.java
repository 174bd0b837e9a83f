/**
 * Keeps sessions in Redis or Valkey.
 *
 * <p>{@link io.sojourn.redis.RedisSessionStore} says what lies in the server and which script does
 * what; the scripts themselves are resources beside it. {@link
 * io.sojourn.redis.RedisSessionStoreProvider} opens it by URL.
 */
@NullMarked
package io.sojourn.redis;

import org.jspecify.annotations.NullMarked;
