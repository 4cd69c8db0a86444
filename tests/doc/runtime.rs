use statefn::testing::VirtualClock;

#[statefn::test]
async fn a_key_is_remembered_for_a_day_also_across_a_crash() {
    let clock = VirtualClock::new();
    let runtime = Runtime::builder().env(clock.clone()).build().await.unwrap();
    let cart = runtime.entity::<Cart>("alice");
    let add = || cart.add_item("p1", "Deluxe", 5).with_key("req-77");

    add().await.unwrap();
    runtime.crash().await.unwrap();
    add().await.unwrap();
    assert_eq!(cart.items().await.unwrap()[0].quantity, 5);

    clock.advance(Duration::from_secs(25 * 60 * 60));
    add().await.unwrap();
    assert_eq!(cart.items().await.unwrap()[0].quantity, 10);
}
