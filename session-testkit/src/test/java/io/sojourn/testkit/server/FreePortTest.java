package io.sojourn.testkit.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class FreePortTest {

  private final List<Integer> tried = new ArrayList<>();

  @Test
  void anotherPortIsTriedWhereSomebodyWasFaster() throws IOException {
    List<ServerSocket> somebody = new ArrayList<>();
    try {
      int used =
          FreePort.use(
              port -> {
                tried.add(port);
                if (tried.size() < 3) {
                  somebody.add(listenOn(port));
                  throw new IllegalStateException("taken");
                }
                return port;
              });

      assertThat(tried).hasSize(3).doesNotHaveDuplicates().endsWith(used);
    } finally {
      for (ServerSocket socket : somebody) {
        socket.close();
      }
    }
  }

  @Test
  void anotherPortIsTriedWhereSomebodyWasFasterOnTheSecondOne() throws IOException {
    List<ServerSocket> somebody = new ArrayList<>();
    try {
      int used =
          FreePort.use(
              10_000,
              port -> {
                tried.add(port);
                if (tried.size() < 2) {
                  somebody.add(listenOn(port + 10_000));
                  throw new IllegalStateException("taken");
                }
                return port;
              });

      assertThat(tried).hasSize(2).doesNotHaveDuplicates().endsWith(used);
    } finally {
      for (ServerSocket socket : somebody) {
        socket.close();
      }
    }
  }

  @Test
  void aFailureThatIsNotThePortsFaultIsReportedAtOnce() {
    assertThatThrownBy(
            () ->
                FreePort.use(
                    port -> {
                      tried.add(port);
                      throw new IllegalStateException("broken");
                    }))
        .hasMessage("broken");
    assertThat(tried).hasSize(1);
  }

  @Test
  void aPortThatWasChosenIsNobodyElsesUntilItsJvmEnds() throws Exception {
    int port = FreePort.use(chosen -> chosen);
    System.gc();

    assertThat(FreePort.Reservations.take(port)).as("here again").isFalse();
    assertThat(reservedByAnotherJvm(port)).as("elsewhere").isEqualTo("false");
    int another = FreePort.use(chosen -> chosen);
    assertThat(another).isNotEqualTo(port);
  }

  @Test
  void aPortOfAJvmThatHasEndedIsToBeHadAgain() throws Exception {
    int port = 14_999; // below those that are chosen from
    assertThat(reservedByAnotherJvm(port)).isEqualTo("true");
    assertThat(reservedByAnotherJvm(port)).isEqualTo("true");
  }

  private static String reservedByAnotherJvm(int port) throws Exception {
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp",
                System.getProperty("java.class.path"),
                AnotherJvm.class.getName(),
                Integer.toString(port))
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    process.waitFor();
    return said;
  }

  static final class AnotherJvm {
    public static void main(String[] arguments) {
      System.out.print(FreePort.Reservations.take(Integer.parseInt(arguments[0])));
    }
  }

  private static ServerSocket listenOn(int port) {
    try {
      return new ServerSocket(port, 1, InetAddress.getLoopbackAddress());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
