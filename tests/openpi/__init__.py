"""The openpi protocol: our client, our server, over real websockets."""
