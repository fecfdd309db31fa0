package wasmill;

import com.fasterxml.jackson.annotation.JsonPropertyOrder;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.ObjectReader;
import com.fasterxml.jackson.databind.ObjectWriter;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Locale;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.Produced;

/** Turns one field of JSON records into capitals. */
final class Upper {
    private static final ObjectMapper MAPPER = new ObjectMapper();
    private static final ObjectReader READER = MAPPER.readerFor(Event.class);
    private static final ObjectWriter WRITER = MAPPER.writerFor(Event.class);

    private Upper() {}

    static Topology topology(String input, String output) {
        StreamsBuilder builder = new StreamsBuilder();
        builder.stream(input, Consumed.with(Serdes.ByteArray(), Serdes.ByteArray()))
                .mapValues(Upper::upper)
                .to(output, Produced.with(Serdes.ByteArray(), Serdes.ByteArray()));
        return builder.build();
    }

    private static byte[] upper(byte[] json) {
        try {
            Event event = READER.readValue(json);
            event.name = event.name.toUpperCase(Locale.ROOT);
            return WRITER.writeValueAsBytes(event);
        } catch (IOException error) {
            throw new UncheckedIOException(error);
        }
    }

    /** A record's value. */
    @JsonPropertyOrder({"id", "name", "city", "cents", "note"})
    static final class Event {
        public long id;
        public String name;
        public String city;
        public long cents;
        public String note;
    }
}
