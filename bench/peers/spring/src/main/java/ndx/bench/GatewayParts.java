package ndx.bench;

import com.fasterxml.jackson.databind.cfg.CoercionAction;
import com.fasterxml.jackson.databind.cfg.CoercionInputShape;
import com.fasterxml.jackson.databind.type.LogicalType;
import io.lettuce.core.RedisClient;
import io.lettuce.core.api.async.RedisAsyncCommands;
import java.time.Duration;
import java.util.UUID;
import org.springframework.beans.factory.annotation.Value;
import org.springframework.boot.autoconfigure.jackson.Jackson2ObjectMapperBuilderCustomizer;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Profile;
import org.springframework.kafka.config.ConcurrentKafkaListenerContainerFactory;
import org.springframework.kafka.core.ProducerFactory;
import org.springframework.kafka.listener.ConcurrentMessageListenerContainer;
import org.springframework.kafka.requestreply.ReplyingKafkaTemplate;

/** What the gateway's controller works with. */
@Configuration
@Profile("gateway")
class GatewayParts {

  @Bean
  ReplyingKafkaTemplate<String, Question, Answer.Reply> adapter(
      ProducerFactory<String, Question> producers,
      ConcurrentMessageListenerContainer<String, Answer.Reply> replies) {
    var template = new ReplyingKafkaTemplate<>(producers, replies);
    template.setDefaultReplyTimeout(Duration.ofSeconds(5));
    return template;
  }

  /** Each gateway reads the replies with a group of its own, as the reference says for more than one. */
  @Bean
  ConcurrentMessageListenerContainer<String, Answer.Reply> replies(
      ConcurrentKafkaListenerContainerFactory<String, Answer.Reply> factory,
      @Value("${REPLY_TOPIC}") String topic) {
    var container = factory.createContainer(topic);
    container.getContainerProperties().setGroupId(topic + "." + UUID.randomUUID());
    container.setAutoStartup(false);
    return container;
  }

  @Bean(destroyMethod = "shutdown")
  RedisClient redisClient(@Value("${REDIS_URL}") String url) {
    return RedisClient.create(url);
  }

  @Bean
  RedisAsyncCommands<String, String> redis(RedisClient client) {
    return client.connect().async();
  }

  /** Jackson would take a number for a string; the other targets do not. */
  @Bean
  Jackson2ObjectMapperBuilderCustomizer strictStrings() {
    return builder ->
        builder.postConfigurer(
            mapper -> {
              var text = mapper.coercionConfigFor(LogicalType.Textual);
              text.setCoercion(CoercionInputShape.Integer, CoercionAction.Fail);
              text.setCoercion(CoercionInputShape.Float, CoercionAction.Fail);
              text.setCoercion(CoercionInputShape.Boolean, CoercionAction.Fail);
            });
  }
}
