/**
 * The session manager for Tomcat 10.1 and 11: {@link io.sojourn.tomcat.SojournManager} takes the
 * place of Tomcat's own in {@code context.xml}. All it does is translate; what has to be right once
 * is in {@link io.sojourn.SessionRepository}.
 */
@NullMarked
package io.sojourn.tomcat;

import org.jspecify.annotations.NullMarked;
