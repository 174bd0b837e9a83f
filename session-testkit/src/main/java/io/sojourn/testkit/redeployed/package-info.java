/** A web application that brings its classes along and is deployed again and again. */
@NullMarked
package io.sojourn.testkit.redeployed;

import org.jspecify.annotations.NullMarked;
