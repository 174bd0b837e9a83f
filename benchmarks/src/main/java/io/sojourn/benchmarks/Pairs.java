package io.sojourn.benchmarks;

import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.Callable;
import org.openjdk.jmh.infra.BenchmarkParams;
import org.openjdk.jmh.infra.Blackhole;
import org.openjdk.jmh.infra.IterationParams;
import org.openjdk.jmh.profile.InternalProfiler;
import org.openjdk.jmh.results.AggregationPolicy;
import org.openjdk.jmh.results.IterationResult;
import org.openjdk.jmh.results.ScalarResult;

/**
 * Reports what a benchmark that makes two calls in turn, a store's and a bare one, has taken for
 * each: the medians of an iteration in microseconds, and their ratio.
 *
 * <p>A machine that others use is now fast and now slow, and a commit waits for its disk. Two calls
 * that take turns meet the same, so that their ratio says something even there.
 */
public final class Pairs implements InternalProfiler {

  private static final int MOST = 1 << 20;

  private static final long[] STORE = new long[MOST];
  private static final long[] BARE = new long[MOST];
  private static int count;

  /** For JMH. */
  public Pairs() {}

  /** Makes a pair of calls and notes what they take. */
  static void call(Blackhole hole, boolean storeFirst, Callable<?> ofStore, Callable<?> bare)
      throws Exception {
    long start = System.nanoTime();
    hole.consume((storeFirst ? ofStore : bare).call());
    long middle = System.nanoTime();
    hole.consume((storeFirst ? bare : ofStore).call());
    long end = System.nanoTime();
    if (count < MOST) {
      STORE[count] = storeFirst ? middle - start : end - middle;
      BARE[count] = storeFirst ? end - middle : middle - start;
      count++;
    }
  }

  @Override
  public String getDescription() {
    return "Medians of calls that take turns, and their ratio";
  }

  @Override
  public void beforeIteration(BenchmarkParams benchmark, IterationParams iteration) {
    count = 0;
  }

  @Override
  public Collection<ScalarResult> afterIteration(
      BenchmarkParams benchmark, IterationParams iteration, IterationResult result) {
    if (count == 0) {
      return List.of();
    }
    double store = medianMicros(STORE);
    double bare = medianMicros(BARE);
    return List.of(
        new ScalarResult("store", store, "us", AggregationPolicy.AVG),
        new ScalarResult("bare", bare, "us", AggregationPolicy.AVG),
        new ScalarResult("ratio", store / bare, "", AggregationPolicy.AVG));
  }

  private static double medianMicros(long[] nanos) {
    long[] sorted = Arrays.copyOf(nanos, count);
    Arrays.sort(sorted);
    return sorted[count / 2] / 1000.0;
  }
}
