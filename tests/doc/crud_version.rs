#[derive(Event, Serialize, Deserialize)]
#[event(name = "profile", version = 1)]
struct ProfileV1 { name: String }

impl From<ProfileV1> for Profile {
    fn from(old: ProfileV1) -> Self { Self { name: old.name, logins: 0 } }
}

#[entity(crud, name = "profile", version = 2, from = ProfileV1)]
#[derive(Clone, Default, Serialize, Deserialize)]
struct Profile { name: String, logins: u32 }
