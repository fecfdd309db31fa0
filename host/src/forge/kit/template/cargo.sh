#!/bin/sh
# Stands in front of cargo: cargo-component knows messages as text only, asks for them a second time when it is to pass
# them on, and the forge needs them as data.
seen=
for argument; do
    shift
    case "$seen$argument" in
    json-render-diagnostics) argument=json seen=yes ;;
    yes--message-format | yesjson-render-diagnostics) continue ;;
    esac
    set -- "$@" "$argument"
done
exec "$REAL_CARGO" "$@"
