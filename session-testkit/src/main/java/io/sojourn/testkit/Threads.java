package io.sojourn.testkit;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.IntConsumer;
import java.util.function.IntFunction;

/** Runs one piece of work on many threads that begin together. */
public final class Threads {

  private Threads() {}

  /**
   * Runs the work and waits for all.
   *
   * @param threads how many
   * @param work given the thread's number, from 0
   * @throws AssertionError if one of them fails
   */
  public static void run(int threads, IntConsumer work) {
    List<Boolean> done =
        call(
            threads,
            thread -> {
              work.accept(thread);
              return true;
            });
    if (done.size() != threads) {
      throw new AssertionError(done.size() + " of " + threads + " threads ended");
    }
  }

  /**
   * Runs the work and answers what each thread did, by its number.
   *
   * @param threads how many
   * @param work given the thread's number, from 0
   * @throws AssertionError if one of them fails
   */
  public static <T> List<T> call(int threads, IntFunction<T> work) {
    ExecutorService executor = Executors.newFixedThreadPool(threads);
    try {
      CyclicBarrier start = new CyclicBarrier(threads);
      List<Future<T>> futures = new ArrayList<>();
      for (int i = 0; i < threads; i++) {
        int thread = i;
        futures.add(
            executor.submit(
                () -> {
                  start.await();
                  return work.apply(thread);
                }));
      }
      List<T> answers = new ArrayList<>();
      for (Future<T> future : futures) {
        answers.add(future.get());
      }
      return answers;
    } catch (ExecutionException e) {
      throw new AssertionError("A thread failed: " + e.getCause(), e.getCause());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new AssertionError("Interrupted", e);
    } finally {
      executor.shutdownNow();
    }
  }
}
