-- The schema registry keeps its schemas in a database of its own on the state store's server.
CREATE DATABASE registry;
