throw new Error('usocket is stubbed out: dbus-next falls back to node:net');
