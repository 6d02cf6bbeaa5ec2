import ca.uhn.fhir.batch2.jobs.config.Batch2JobsConfig;
import ca.uhn.fhir.context.FhirContext;
import ca.uhn.fhir.context.support.IValidationSupport;
import ca.uhn.fhir.jpa.api.config.JpaStorageSettings;
import ca.uhn.fhir.jpa.api.config.ThreadPoolFactoryConfig;
import ca.uhn.fhir.jpa.api.dao.IFhirSystemDao;
import ca.uhn.fhir.jpa.batch2.JpaBatch2Config;
import ca.uhn.fhir.jpa.config.HapiJpaConfig;
import ca.uhn.fhir.jpa.config.r4.JpaR4Config;
import ca.uhn.fhir.jpa.config.util.HapiEntityManagerFactoryUtil;
import ca.uhn.fhir.jpa.model.config.PartitionSettings;
import ca.uhn.fhir.jpa.model.config.SubscriptionSettings;
import ca.uhn.fhir.jpa.model.dialect.HapiFhirH2Dialect;
import ca.uhn.fhir.jpa.provider.IJpaSystemProvider;
import ca.uhn.fhir.jpa.provider.JpaCapabilityStatementProvider;
import ca.uhn.fhir.jpa.search.DatabaseBackedPagingProvider;
import ca.uhn.fhir.jpa.subscription.channel.config.SubscriptionChannelConfig;
import ca.uhn.fhir.rest.server.RestfulServer;
import ca.uhn.fhir.rest.server.provider.ResourceProviderFactory;
import ca.uhn.fhir.rest.server.util.ISearchParamRegistry;
import jakarta.persistence.EntityManagerFactory;
import java.util.Properties;
import javax.sql.DataSource;
import org.apache.commons.dbcp2.BasicDataSource;
import org.eclipse.jetty.ee10.servlet.ServletContextHandler;
import org.eclipse.jetty.ee10.servlet.ServletHolder;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.springframework.beans.factory.config.ConfigurableListableBeanFactory;
import org.springframework.context.annotation.AnnotationConfigApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Import;
import org.springframework.context.annotation.Primary;
import org.springframework.orm.jpa.JpaTransactionManager;
import org.springframework.orm.jpa.LocalContainerEntityManagerFactoryBean;

/**
 * HAPI FHIR's JPA server on loopback: R4, at /fhir.
 *
 * <p>{@code Record [FILE PORT]}: the database is in memory and the port a free one; or it is in FILE.mv.db, which outlives a kill,
 * and listens where it did before. Prints {@code ready PORT}, and ends
 * when standard input does: whoever started it need not live long enough to stop it.
 */
public final class Record {
  @Configuration
  @Import({
    JpaR4Config.class,
    HapiJpaConfig.class,
    JpaBatch2Config.class,
    Batch2JobsConfig.class,
    ThreadPoolFactoryConfig.class,
    // Without its broker the context does not start.
    SubscriptionChannelConfig.class
  })
  public static class Beans {
    @Bean
    JpaStorageSettings storage() {
      var settings = new JpaStorageSettings();
      settings.setResourceServerIdStrategy(JpaStorageSettings.IdStrategyEnum.UUID);
      settings.setResourceClientIdStrategy(JpaStorageSettings.ClientIdStrategyEnum.ANY);
      settings.setHibernateSearchIndexSearchParams(false);
      return settings;
    }

    @Bean
    SubscriptionSettings subscriptions() {
      return new SubscriptionSettings();
    }

    @Bean
    PartitionSettings partitions() {
      return new PartitionSettings();
    }

    @Bean
    DataSource database() {
      var source = new BasicDataSource();
      source.setUrl(System.getProperty("database"));
      source.setUsername("sa");
      source.setPassword("");
      source.setMaxTotal(16);
      return source;
    }

    @Bean
    @Primary
    LocalContainerEntityManagerFactoryBean entityManagerFactory(
        DataSource source, ConfigurableListableBeanFactory beans, FhirContext fhir, JpaStorageSettings settings) {
      var factory = HapiEntityManagerFactoryUtil.newEntityManagerFactory(beans, fhir, settings);
      factory.setPersistenceUnitName("record");
      factory.setDataSource(source);
      var properties = new Properties();
      properties.put("hibernate.dialect", HapiFhirH2Dialect.class.getName());
      properties.put("hibernate.hbm2ddl.auto", "update");
      properties.put("hibernate.search.enabled", "false");
      factory.setJpaProperties(properties);
      return factory;
    }

    // Both names are looked for as they are.
    @Bean
    @Primary
    JpaTransactionManager transactionManager(EntityManagerFactory factory) {
      return new JpaTransactionManager(factory);
    }
  }

  public static void main(String[] arguments) {
    try {
      serve(arguments);
      while (System.in.read() >= 0) {}
    } catch (Exception failed) {
      failed.printStackTrace();
    }
    // Threads of the context would go on for ever.
    Runtime.getRuntime().halt(0);
  }

  private static void serve(String[] arguments) throws Exception {
    var kept = arguments.length > 0;
    // H2 by itself writes what is committed half a second later.
    System.setProperty(
        "database",
        kept ? "jdbc:h2:file:" + arguments[0] + ";WRITE_DELAY=0" : "jdbc:h2:mem:record;DB_CLOSE_DELAY=-1");
    var beans = new AnnotationConfigApplicationContext(Beans.class);
    var fhir = new RestfulServer(beans.getBean(FhirContext.class));
    fhir.registerProviders(beans.getBean(ResourceProviderFactory.class).createProviders());
    fhir.registerProvider(beans.getBean(IJpaSystemProvider.class));
    fhir.setPagingProvider(beans.getBean(DatabaseBackedPagingProvider.class));
    var statement =
        new JpaCapabilityStatementProvider(
            fhir,
            beans.getBean(IFhirSystemDao.class),
            beans.getBean(JpaStorageSettings.class),
            beans.getBean(ISearchParamRegistry.class),
            beans.getBean(IValidationSupport.class));
    statement.setImplementationDescription("a record for tests");
    fhir.setServerConformanceProvider(statement);

    var server = new Server();
    var connector = new ServerConnector(server);
    connector.setHost("127.0.0.1");
    connector.setPort(kept ? Integer.parseInt(arguments[1]) : 0);
    server.addConnector(connector);
    var pages = new ServletContextHandler("/");
    pages.addServlet(new ServletHolder(fhir), "/fhir/*");
    server.setHandler(pages);
    server.start();
    System.out.println("ready " + connector.getLocalPort());
  }
}
