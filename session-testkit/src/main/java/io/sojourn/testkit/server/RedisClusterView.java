package io.sojourn.testkit.server;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/** What one node of a cluster holds for true, as it answers to CLUSTER NODES. */
record RedisClusterView(List<Member> members) {

  RedisClusterView {
    members = List.copyOf(members);
  }

  /** The slots from the first to the last one. */
  record Range(int first, int last) {

    boolean contains(int slot) {
      return first <= slot && slot <= last;
    }
  }

  /**
   * A node in another one's eyes, or in its own.
   *
   * @param master the id of its master, or a hyphen if it is one itself
   * @param epoch the higher it is, the newer is what the node says of its slots
   */
  record Member(
      String id,
      int port,
      Set<String> flags,
      String master,
      long epoch,
      boolean connected,
      List<Range> slots) {

    Member {
      flags = Set.copyOf(flags);
      slots = List.copyOf(slots);
    }

    boolean isMaster() {
      return flags.contains("master");
    }

    boolean owns(int slot) {
      return slots.stream().anyMatch(range -> range.contains(slot));
    }

    int slotCount() {
      return slots.stream().mapToInt(range -> range.last() - range.first() + 1).sum();
    }

    /** Returns whether it is known well and thought to be alive. */
    boolean isSound() {
      boolean itself = flags.contains("myself");
      return (itself || connected)
          && Set.of("fail", "fail?", "handshake", "noaddr").stream().noneMatch(flags::contains);
    }
  }

  /**
   * Reads an answer.
   *
   * @throws IOException if it is not as Redis answers
   */
  static RedisClusterView parse(String answer) throws IOException {
    List<Member> members = new ArrayList<>();
    for (String line : answer.lines().toList()) {
      try {
        members.add(parseLine(line));
      } catch (IndexOutOfBoundsException | NumberFormatException e) {
        throw new IOException("CLUSTER NODES answers " + line, e);
      }
    }
    return new RedisClusterView(members);
  }

  /** One line: id, address, flags, master, two times, epoch, state of the link, slots. */
  private static Member parseLine(String line) {
    String[] fields = line.split(" ", -1);
    String address = fields[1].substring(0, fields[1].indexOf('@'));
    List<Range> slots = new ArrayList<>();
    for (int i = 8; i < fields.length; i++) {
      if (!fields[i].startsWith("[")) { // that one is on its way, and owned by somebody still
        slots.add(parseRange(fields[i]));
      }
    }
    return new Member(
        fields[0],
        Integer.parseInt(address.substring(address.lastIndexOf(':') + 1)),
        Set.of(fields[2].split(",", -1)),
        fields[3],
        Long.parseLong(fields[6]),
        fields[7].equals("connected"),
        slots);
  }

  private static Range parseRange(String text) {
    int hyphen = text.indexOf('-');
    return hyphen < 0
        ? new Range(Integer.parseInt(text), Integer.parseInt(text))
        : new Range(
            Integer.parseInt(text.substring(0, hyphen)),
            Integer.parseInt(text.substring(hyphen + 1)));
  }

  /** Returns the node that answered. */
  Member self() throws IOException {
    return members.stream()
        .filter(member -> member.flags().contains("myself"))
        .findFirst()
        .orElseThrow(() -> new IOException("A node does not know itself in " + members));
  }

  Optional<Member> withPort(int port) {
    return members.stream().filter(member -> member.port() == port).findFirst();
  }

  /** Returns who owns what and who follows whom, which is the same for all nodes that agree. */
  Map<String, String> layout() {
    Map<String, String> layout = new TreeMap<>();
    for (Member member : members) {
      layout.put(
          member.id(), member.isMaster() ? "owns " + member.slots() : "follows " + member.master());
    }
    return layout;
  }
}
