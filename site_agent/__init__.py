"""The agent of a site: speaks Modbus down to the PLCs and MQTT up to the broker."""
