/**
 * HTTP sessions that live outside the JVM: the part of Sojourn that knows neither containers nor
 * drivers.
 *
 * <p>Read it in this order:
 *
 * <ul>
 *   <li>{@link io.sojourn.SessionStore} keeps sessions as bytes; {@link
 *       io.sojourn.InMemorySessionStore} is its contract in the simplest form, and {@link
 *       io.sojourn.SessionStores} finds a store by URL.
 *   <li>What goes in and out of a store: {@link io.sojourn.NewSession}, {@link
 *       io.sojourn.SessionDelta}, {@link io.sojourn.LoadResult}, {@link io.sojourn.SessionRecord}.
 *   <li>{@link io.sojourn.AttributeCodec} turns one attribute into bytes and back.
 *   <li>{@link io.sojourn.LiveSession} is the object map a container works on; {@link
 *       io.sojourn.SessionRepository} joins it to a store: opens, refreshes, flushes, renames,
 *       expires.
 * </ul>
 */
@NullMarked
package io.sojourn;

import org.jspecify.annotations.NullMarked;
