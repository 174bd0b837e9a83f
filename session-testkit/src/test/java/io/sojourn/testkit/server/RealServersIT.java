package io.sojourn.testkit.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(RealServers.class)
class RealServersIT {

  private final RedisServer redis;
  private final MariaDbServer mariaDb;

  RealServersIT(RedisServer redis, MariaDbServer mariaDb) {
    this.redis = redis;
    this.mariaDb = mariaDb;
  }

  @Test
  void redisAnswers() throws IOException {
    assertThat(ask(redis, "PING")).isEqualTo("+PONG");
  }

  @Test
  void everyInjectionGivesTheSameServer(RedisServer otherRedis, MariaDbServer otherMariaDb) {
    assertThat(otherRedis).isSameAs(redis);
    assertThat(otherMariaDb).isSameAs(mariaDb);
  }

  @Test
  void redisIsBackOnItsPortAfterAKillAndEmpty() throws IOException {
    try (RedisServer own = RedisServer.startPrivate()) {
      int port = own.port();
      assertThat(ask(own, "SET key value")).isEqualTo("+OK");

      own.kill();
      assertThatThrownBy(() -> ask(own, "PING")).isInstanceOf(IOException.class);
      own.start();

      assertThat(own.port()).isEqualTo(port);
      assertThat(ask(own, "EXISTS key")).isEqualTo(":0");
      assertThat(ask(redis, "PING")).isEqualTo("+PONG");
    }
  }

  @Test
  void redisAnswersNothingWhileSuspended() throws IOException {
    try (RedisServer own = RedisServer.startPrivate()) {
      own.suspend();
      assertThatThrownBy(() -> ask(own, "PING")).isInstanceOf(SocketTimeoutException.class);

      own.resume();
      await().ignoreExceptions().until(() -> ask(own, "PING").equals("+PONG"));
    }
  }

  @Test
  void closeLeavesNoProcessAndNoFolder() throws IOException {
    ProgramChecks.closeLeavesNoProcessAndNoFolder(
        new RedisProgram(RedisProgram.inArtifact(), RedisAccess.OPEN, List.of()));
  }

  @Test
  void aRedisThatWasGivenIsUsedButLeftRunning() throws IOException {
    RedisServer given = RedisServer.at(redis.url());
    assertThat(given.url()).isEqualTo(redis.url());
    assertThatThrownBy(given::suspend).isInstanceOf(UnsupportedOperationException.class);
    given.close();
    assertThat(ask(redis, "PING")).isEqualTo("+PONG");
  }

  private static String ask(RedisServer server, String command) throws IOException {
    URI address = URI.create(server.url());
    try (Socket socket = new Socket()) {
      socket.connect(new InetSocketAddress(address.getHost(), server.port()), 3_000);
      socket.setSoTimeout(3_000);
      socket.getOutputStream().write((command + "\r\n").getBytes(StandardCharsets.US_ASCII));
      StringBuilder line = new StringBuilder();
      for (int c; (c = socket.getInputStream().read()) != '\r'; line.append((char) c)) {
        if (c < 0) {
          throw new IOException("the connection was closed");
        }
      }
      return line.toString();
    }
  }
}
