# Sends each line of its input as a request, and prints so many answers, and one dead letter, as lines of JSON.
import json
import sys

from kafka import KafkaConsumer, KafkaProducer

broker, count = sys.argv[1], int(sys.argv[2])
producer = KafkaProducer(bootstrap_servers=broker)
for line in sys.stdin.read().splitlines():
    try:
        key = json.loads(line)["session_id"].encode()
    except ValueError:
        key = None
    producer.send("tool.requests", key=key, value=line.encode()).get(60)
producer.close()


def show(topic, count):
    consumer = KafkaConsumer(topic, bootstrap_servers=broker, auto_offset_reset="earliest",
                             isolation_level="read_committed", enable_auto_commit=False, consumer_timeout_ms=60000)
    for record in consumer:
        value = record.value.decode()
        try:
            value = json.loads(value)
        except ValueError:
            pass
        headers = {name: data.decode() for name, data in record.headers}
        key = record.key.decode() if record.key is not None else None
        print(json.dumps({"topic": topic, "key": key, "value": value, "headers": headers}))
        count -= 1
        if count == 0:
            break
    consumer.close()


show("tool.results", count)
show("tool.requests.dlq", 1)
