"""For technicians: see live what sites report, and change settings of a device, over MQTT alone."""
