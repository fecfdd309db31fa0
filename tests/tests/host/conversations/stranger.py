# Says the line of its input, and prints so many answers of its session as lines of JSON; with `in` instead of a number,
# the first message of ada.
import json
import sys

from kafka import KafkaConsumer, KafkaProducer

broker, count = sys.argv[1:]


def read(topic, key, count):
    consumer = KafkaConsumer(topic, bootstrap_servers=broker, auto_offset_reset="earliest",
                             isolation_level="read_committed", enable_auto_commit=False, consumer_timeout_ms=60000)
    for record in consumer:
        if record.key != key:
            continue
        headers = {name: data.decode() for name, data in record.headers}
        print(json.dumps({"key": record.key.decode(), "value": json.loads(record.value), "headers": headers}))
        count -= 1
        if count == 0:
            break
    consumer.close()


if count == "in":
    read("conversation.inbound", b"ada/trip", 1)
else:
    message = json.loads(sys.stdin.read())
    key = message["session_id"].encode()
    producer = KafkaProducer(bootstrap_servers=broker)
    producer.send("conversation.inbound", key=key, value=json.dumps(message).encode()).get(60)
    producer.close()
    read("conversation.outbound", key, int(count))
