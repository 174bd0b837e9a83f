/**
 * Sessions of Jetty 12.0 and 12.1 in a shared store: {@link
 * io.sojourn.jetty.SojournSessionCacheFactory} is a bean of the server, or makes the session cache
 * of one session handler. All it does is translate; what has to be right once is in {@link
 * io.sojourn.SessionRepository}.
 */
@NullMarked
package io.sojourn.jetty;

import org.jspecify.annotations.NullMarked;
