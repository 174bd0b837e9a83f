package io.sojourn.codec;

import org.jspecify.annotations.Nullable;

/**
 * A way through all of an attribute that can change, in the order in which it is encoded. Where
 * {@code false} is answered, the way has ended.
 */
interface Walk {

  /** Comes by what a field or a container refers to, and goes through it where that can change. */
  boolean visit(@Nullable Object value);

  /** Goes through what this is an unmodifiable view of. */
  boolean visitViewed(Object view);

  /** Comes by a primitive field, or by how many elements follow. */
  boolean visit(long number);
}
