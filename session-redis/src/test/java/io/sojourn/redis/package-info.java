/** Tests of what lies beyond the contract that all stores share. */
@NullMarked
package io.sojourn.redis;

import org.jspecify.annotations.NullMarked;
