package io.sojourn.jdbc;

import java.util.UUID;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** {@link Hammer} without a server. */
@Tag("G2")
class HammerTest {

  @Test
  void nothingIsLostOnH2() {
    Hammer.run("jdbc:h2:mem:" + UUID.randomUUID() + ";DB_CLOSE_DELAY=-1");
  }
}
