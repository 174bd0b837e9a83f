package io.sojourn.codec;

import static java.util.Objects.requireNonNull;

import java.util.Arrays;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.Set;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * What an attribute consists of: which objects, and the numbers in them. While they are the same,
 * it is encoded to the same bytes, and to see that takes much less than to encode it. Immutable.
 */
final class Footprint implements BooleanSupplier {

  /*
   * Behind each object that can change stands its form, which goes through what is in it. An immutable one is only compared, by
   * identity: an equal one in its place counts as a change, and encoding tells the rest. One that comes again is not gone through
   * again, so cycles end. Containers tell their size first, so no two ways through different objects look the same.
   *
   * Nothing of an immutable object is read, not even its class: between two requests the processor's caches have lost what is in a
   * session, and to fetch each element of a list takes longer than all the rest.
   */

  /** The most objects, and the most numbers; what has more is encoded. */
  private static final int MOST = 16_384;

  /** Stands between an object and its form. */
  private static final Object FORM = new Object();

  private static final int DEPTH = 100;

  private final Object value;

  /** The objects, one after the other, and {@link #FORM} and a form behind those that have one. */
  private final @Nullable Object[] seen;

  private final long[] numbers;

  private Footprint(Object value, @Nullable Object[] seen, long[] numbers) {
    this.value = value;
    this.seen = seen;
    this.numbers = numbers;
  }

  /** The footprint of this value; null if only encoding tells whether it has changed. */
  static @Nullable Footprint of(Object value, ClassRule rule) {
    Recorder recorder = new Recorder(rule);
    try {
      return recorder.visit(value) ? recorder.footprint(value) : null;
    } catch (RuntimeException changedMeanwhile) {
      return null;
    }
  }

  /** Whether nothing in the value has changed. */
  @Override
  public boolean getAsBoolean() {
    Comparer comparer = new Comparer(this);
    try {
      return comparer.visit(value) && comparer.isAtEnd();
    } catch (RuntimeException changedMeanwhile) {
      return false;
    }
  }

  /** Goes there for the first time. */
  private static final class Recorder implements Walk {
    private final ClassRule rule;
    private final Set<Object> entered = Collections.newSetFromMap(new IdentityHashMap<>());
    private final ViewForms.Viewer views = new ViewForms.Viewer();
    private @Nullable Object[] seen = new @Nullable Object[32];
    private long[] numbers = new long[16];
    private int objectCount;
    private int seenCount;
    private int numberCount;
    private int depth;

    Recorder(ClassRule rule) {
      this.rule = rule;
    }

    Footprint footprint(Object value) {
      return new Footprint(
          value, Arrays.copyOf(seen, seenCount), Arrays.copyOf(numbers, numberCount));
    }

    @Override
    public boolean visit(@Nullable Object value) {
      if (++objectCount > MOST) {
        return false;
      }
      add(value);
      if (value == null || rule.isImmutable(value) || !entered.add(value)) {
        return true;
      }
      GraphForm<Object> form = rule.formOf(value);
      if (form == null || depth == DEPTH) {
        return false;
      }
      add(FORM);
      add(form);
      depth++;
      boolean whole = form.walk(this, value);
      depth--;
      return whole;
    }

    @Override
    public boolean visitViewed(Object view) {
      Object viewed = views.viewedBy(view);
      return viewed != null && visit(viewed);
    }

    private void add(@Nullable Object object) {
      if (seenCount == seen.length) {
        seen = Arrays.copyOf(seen, seenCount * 2);
      }
      seen[seenCount++] = object;
    }

    @Override
    public boolean visit(long number) {
      if (numberCount == MOST) {
        return false;
      }
      if (numberCount == numbers.length) {
        numbers = Arrays.copyOf(numbers, numberCount * 2);
      }
      numbers[numberCount++] = number;
      return true;
    }
  }

  /** Goes there again. */
  private static final class Comparer implements Walk {
    private final @Nullable Object[] seen;
    private final long[] numbers;
    private int nextSeen;
    private int nextNumber;

    Comparer(Footprint footprint) {
      this.seen = footprint.seen;
      this.numbers = footprint.numbers;
    }

    @Override
    @SuppressWarnings({"ReferenceEquality", "unchecked"})
    public boolean visit(@Nullable Object value) {
      if (nextSeen == seen.length || seen[nextSeen++] != value) {
        return false;
      }
      if (value == null || nextSeen == seen.length || seen[nextSeen] != FORM) {
        return true;
      }
      GraphForm<Object> form = (GraphForm<Object>) requireNonNull(seen[nextSeen + 1]);
      nextSeen += 2;
      return form.walk(this, value);
    }

    /** A view never becomes one of something else. */
    @Override
    public boolean visitViewed(Object view) {
      return nextSeen < seen.length && visit(seen[nextSeen]);
    }

    @Override
    public boolean visit(long number) {
      return nextNumber < numbers.length && numbers[nextNumber++] == number;
    }

    boolean isAtEnd() {
      return nextSeen == seen.length && nextNumber == numbers.length;
    }
  }
}
