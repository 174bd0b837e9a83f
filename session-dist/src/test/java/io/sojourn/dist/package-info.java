/** Tests of the jar that is put into a Tomcat's lib folder, in a Tomcat. */
@NullMarked
package io.sojourn.dist;

import org.jspecify.annotations.NullMarked;
