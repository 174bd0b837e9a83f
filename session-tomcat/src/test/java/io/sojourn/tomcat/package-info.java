@NullMarked
package io.sojourn.tomcat;

import org.jspecify.annotations.NullMarked;
