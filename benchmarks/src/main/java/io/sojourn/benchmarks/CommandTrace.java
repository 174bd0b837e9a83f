package io.sojourn.benchmarks;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.US_ASCII;

import io.lettuce.core.ScriptOutputType;
import io.lettuce.core.api.sync.RedisCommands;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.Socket;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.random.RandomGenerator;

/**
 * What a Redis store sends for one call about each of many sessions, as the server has seen it: how
 * it runs a script. It can be sent again by a bare client, with other content. Immutable; any
 * number of threads may do so.
 */
final class CommandTrace {

  /** A call about the session of this number. */
  @FunctionalInterface
  interface Call {
    void about(int session) throws Exception;
  }

  /** How a script is run for a session. */
  private static final class Run {
    final String digest;
    final byte[][] keys;
    final byte[][] arguments;

    /** By the words of an EVALSHA. */
    Run(List<byte[]> words) {
      int end = 3 + Integer.parseInt(new String(words.get(2), US_ASCII));
      digest = new String(words.get(1), US_ASCII);
      keys = words.subList(3, end).toArray(byte[][]::new);
      arguments = words.subList(end, words.size()).toArray(byte[][]::new);
    }
  }

  private final List<Run> runs;

  /** Which arguments are others in each call. */
  private final boolean[] fresh;

  private CommandTrace(List<Run> runs, boolean[] fresh) {
    this.runs = runs;
    this.fresh = fresh;
  }

  /**
   * Makes a call about each session, and one more about the first, to find out what differs from
   * one to the next.
   *
   * @param port of the server, to which nobody else speaks meanwhile
   * @throws Exception if a call fails, or the server does not tell what it has seen
   */
  static CommandTrace record(int port, int sessions, Call call) throws Exception {
    // By the first call the server gets to know the script.
    call.about(0);
    try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
      socket.setSoTimeout(10_000);
      socket.getOutputStream().write("MONITOR\r\n".getBytes(US_ASCII));
      BufferedReader monitor =
          new BufferedReader(new InputStreamReader(socket.getInputStream(), ISO_8859_1));
      List<Run> runs = new ArrayList<>();
      for (int i = 0; i < sessions; i++) {
        call.about(i);
        runs.add(new Run(next(monitor)));
      }
      byte[][] first = runs.get(0).arguments;
      call.about(0);
      byte[][] second = new Run(next(monitor)).arguments;
      boolean[] fresh = new boolean[first.length];
      for (int i = 0; i < first.length; i++) {
        fresh[i] = !Arrays.equals(first[i], second[i]);
      }
      return new CommandTrace(runs, fresh);
    }
  }

  /** The words of the next script that a client runs. */
  private static List<byte[]> next(BufferedReader monitor) throws IOException {
    while (true) {
      String line = monitor.readLine();
      if (line == null) {
        throw new IOException("The server has ended what it tells");
      }
      int begin = line.indexOf("] \"EVALSHA\" ");
      if (begin >= 0) {
        return words(line, begin + 2);
      }
    }
  }

  /** Words in quotes, with a space between, as MONITOR and redis-cli print them. */
  private static List<byte[]> words(String line, int begin) {
    List<byte[]> words = new ArrayList<>();
    StringBuilder word = new StringBuilder();
    int i = begin + 1;
    while (i < line.length()) {
      char c = line.charAt(i++);
      if (c == '"') {
        words.add(word.toString().getBytes(ISO_8859_1));
        word.setLength(0);
        i += 2;
      } else if (c != '\\') {
        word.append(c);
      } else {
        char escaped = line.charAt(i++);
        switch (escaped) {
          case 'n' -> word.append('\n');
          case 'r' -> word.append('\r');
          case 't' -> word.append('\t');
          case 'a' -> word.append('\u0007');
          case 'b' -> word.append('\b');
          case 'x' -> {
            word.append((char) Integer.parseInt(line, i, i + 2, 16));
            i += 2;
          }
          default -> word.append(escaped);
        }
      }
    }
    return words;
  }

  /**
   * Sends it again.
   *
   * @param content what is written, if something is
   * @param random for names that are others in each call
   * @return what the script answers
   */
  Object again(
      RedisCommands<byte[], byte[]> redis,
      ScriptOutputType answer,
      int session,
      byte[] content,
      RandomGenerator random) {
    Run run = runs.get(session);
    byte[][] arguments = run.arguments.clone();
    for (int i = 0; i < arguments.length; i++) {
      if (fresh[i]) {
        arguments[i] = arguments[i].length == content.length ? content : name(arguments[i], random);
      }
    }
    return Objects.<Object>requireNonNull(
        redis.evalsha(run.digest, answer, run.keys, arguments), "The script has no answer");
  }

  private static byte[] name(byte[] like, RandomGenerator random) {
    byte[] name = new byte[like.length];
    for (int i = 0; i < name.length; i++) {
      name[i] = (byte) random.nextInt('a', 'z' + 1);
    }
    return name;
  }
}
