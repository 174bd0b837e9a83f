package io.sojourn.dist;

/** On Tomcat 10. */
class Tomcat10DistributionIT extends DistributionContract {

  Tomcat10DistributionIT() {
    super("10");
  }
}
