package io.sojourn.testkit;

import static io.sojourn.testkit.ContractClient.redirectTo;
import static org.assertj.core.api.Assertions.assertThat;

import io.sojourn.testkit.ContractClient.Answer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;

/** A client that knows what its session should hold. */
final class ModelClient {

  private final ContractClient http = new ContractClient();
  private final Map<String, String> attributes = new TreeMap<>();
  private boolean hasSession;
  private int steps;

  private ModelClient() {}

  /** Has three clients do anything on two servers, and look whether it is as it should be. */
  static void compare(ContainerNode a, ContainerNode b, int steps, long seed) {
    Random random = new Random(seed);
    List<ContainerNode> nodes = List.of(a, b);
    List<ModelClient> clients = List.of(new ModelClient(), new ModelClient(), new ModelClient());
    for (int step = 0; step < steps; step++) {
      ModelClient client = clients.get(random.nextInt(clients.size()));
      int number = client.steps++ % 2;
      client.step(
          nodes.get(number), nodes.get(1 - number), random, "seed " + seed + ", step " + step);
    }
  }

  private void step(ContainerNode node, ContainerNode other, Random random, String description) {
    String name = "n" + random.nextInt(4);
    switch (random.nextInt(10)) {
      case 0, 1 -> {
        send(node, description, "set:" + name + ":" + steps);
        attributes.put(name, Integer.toString(steps));
        hasSession = true;
      }
      case 2 -> {
        send(node, description, "remove:" + name);
        attributes.remove(name);
      }
      case 3, 4 -> {
        send(node, description, "add:cart:" + steps);
        attributes.merge("cart", Integer.toString(steps), (old, item) -> old + "," + item);
        hasSession = true;
      }
      case 5 -> {
        Answer redirect =
            http.send(node, "set:" + name + ":r" + steps, redirectTo(other, "get:" + name));
        attributes.put(name, "r" + steps);
        hasSession = true;
        assertThat(http.follow(redirect).line()).as(description).isEqualTo("r" + steps);
      }
      case 6 -> {
        if (random.nextInt(4) == 0) {
          send(node, description, "invalidate");
          attributes.clear();
          hasSession = false;
        } else if (hasSession) {
          send(node, description, "changeId");
        }
      }
      case 7 -> {
        if (hasSession) {
          sendAtOnce(node, other, random, description);
        }
      }
      default -> {
        // Only looks, below.
      }
    }
    look(random.nextBoolean() ? node : other, description);
  }

  private void send(ContainerNode node, String description, String operation) {
    assertThat(http.send(node, operation).status()).as(description).isEqualTo(200);
  }

  /** Requests that overlap, and whose answers come in any order. */
  private void sendAtOnce(
      ContainerNode node, ContainerNode other, Random random, String description) {
    List<CompletableFuture<Answer>> answers = new ArrayList<>();
    for (int i = 0; i < 4; i++) {
      String name = "n" + i;
      String value = steps + "." + i;
      answers.add(http.sendApart(random.nextBoolean() ? node : other, "set:" + name + ":" + value));
      attributes.put(name, value);
    }
    while (!answers.isEmpty()) {
      Answer answer = answers.remove(random.nextInt(answers.size())).join();
      assertThat(answer.status()).as(description).isEqualTo(200);
      http.keepCookies(answer.cookies());
    }
  }

  private void look(ContainerNode node, String description) {
    Answer answer = http.send(node, "names", "get:n0", "get:n1", "get:n2", "get:n3", "get:cart");
    List<String> expected = new ArrayList<>();
    if (hasSession) {
      expected.add(String.join(",", attributes.keySet()));
      for (String name : List.of("n0", "n1", "n2", "n3", "cart")) {
        expected.add(String.valueOf(attributes.get(name)));
      }
    } else {
      expected.addAll(List.of("none", "none", "none", "none", "none", "none"));
    }
    assertThat(answer.lines()).as(description).isEqualTo(expected);
  }
}
