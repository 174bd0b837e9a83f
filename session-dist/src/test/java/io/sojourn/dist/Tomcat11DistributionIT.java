package io.sojourn.dist;

/** On Tomcat 11. */
class Tomcat11DistributionIT extends DistributionContract {

  Tomcat11DistributionIT() {
    super("11");
  }
}
