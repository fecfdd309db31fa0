package wasmill;

import java.util.Map;
import java.util.Properties;
import java.util.TreeMap;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.errors.StreamsUncaughtExceptionHandler.StreamThreadExceptionResponse;

/**
 * What the benchmarks set beside an agent: the same work in Kafka Streams. Arguments: brokers, application id, topic to
 * read, topic to write, work (upper or count), threads, directory for state. Ends on SIGTERM.
 */
public final class Peer {
    private Peer() {}

    public static void main(String[] args) {
        String input = args[2];
        String output = args[3];
        Properties settings = settings(args[0], args[1], args[5], args[6]);
        new TreeMap<>(settings).forEach((name, value) -> System.out.println(name + "=" + value));
        KafkaStreams streams =
                new KafkaStreams("count".equals(args[4]) ? Count.topology(input, output) : Upper.topology(input, output), settings);
        streams.setUncaughtExceptionHandler(error -> {
            error.printStackTrace();
            return StreamThreadExceptionResponse.SHUTDOWN_APPLICATION;
        });
        Runtime.getRuntime().addShutdownHook(new Thread(streams::close));
        streams.start();
    }

    /** Everything that is not Kafka Streams' own default. */
    private static Properties settings(String brokers, String id, String threads, String state) {
        Map<String, String> settings = Map.ofEntries(
                Map.entry(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, brokers),
                Map.entry(StreamsConfig.APPLICATION_ID_CONFIG, id),
                Map.entry(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, StreamsConfig.EXACTLY_ONCE_V2),
                Map.entry(StreamsConfig.NUM_STREAM_THREADS_CONFIG, threads),
                Map.entry(StreamsConfig.STATE_DIR_CONFIG, state),
                Map.entry(StreamsConfig.REPLICATION_FACTOR_CONFIG, "1"),
                // Room for the whole state of the benchmark, so that it is written to the changelog once a transaction.
                Map.entry(StreamsConfig.STATESTORE_CACHE_MAX_BYTES_CONFIG, "67108864"),
                Map.entry(StreamsConfig.BUFFERED_RECORDS_PER_PARTITION_CONFIG, "8192"),
                Map.entry(StreamsConfig.consumerPrefix(ConsumerConfig.MAX_POLL_RECORDS_CONFIG), "8192"),
                Map.entry(StreamsConfig.consumerPrefix(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG), "earliest"),
                Map.entry(StreamsConfig.consumerPrefix(ConsumerConfig.CHECK_CRCS_CONFIG), "false"),
                Map.entry(StreamsConfig.producerPrefix(ProducerConfig.BATCH_SIZE_CONFIG), "262144"),
                Map.entry(StreamsConfig.producerPrefix(ProducerConfig.BUFFER_MEMORY_CONFIG), "67108864"),
                Map.entry(StreamsConfig.producerPrefix(ProducerConfig.COMPRESSION_TYPE_CONFIG), "none"));
        Properties properties = new Properties();
        properties.putAll(settings);
        return properties;
    }
}
