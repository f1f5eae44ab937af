//! The promises of exec-server, each over every wire that can keep it.

mod order;
