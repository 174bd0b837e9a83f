package io.sojourn.testkit;

import java.io.Serializable;
import java.math.BigDecimal;
import java.time.Instant;
import java.util.List;
import java.util.stream.IntStream;

/**
 * What applications keep in sessions, for tests and benchmarks: always the same for the same
 * arguments.
 */
public final class SamplePayloads {

  private SamplePayloads() {}

  /**
   * A line of a cart.
   *
   * @param article the article's number
   * @param name what it is called
   * @param quantity how many
   * @param price what one costs
   * @param added when it was put in
   */
  public record CartItem(String article, String name, int quantity, BigDecimal price, Instant added)
      implements Serializable {}

  /**
   * A shopping cart.
   *
   * @param items how many lines
   */
  public static List<CartItem> cart(int items) {
    return IntStream.range(0, items)
        .mapToObj(
            i ->
                new CartItem(
                    "A-" + (10_000 + i * 37),
                    "Article number " + i,
                    1 + i % 3,
                    BigDecimal.valueOf(995L + i * 100L, 2),
                    Instant.ofEpochSecond(1_700_000_000L + i * 60L)))
        .toList();
  }
}
