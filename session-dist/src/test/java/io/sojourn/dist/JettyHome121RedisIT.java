package io.sojourn.dist;

import io.sojourn.testkit.server.RealServers;
import io.sojourn.testkit.server.RedisServer;
import java.nio.file.Path;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

@ExtendWith(RealServers.class)
class JettyHome121RedisIT extends JettyHomeContract {

  JettyHome121RedisIT(RedisServer redis, @TempDir Path folder) {
    super("12.1", "ee11", redis.url(), folder);
  }
}
